import { fileURLToPath } from "node:url";

/** Directory of the built web page; beside the package's sources, its build and the bundled command alike. */
export const WEB_ROOT = fileURLToPath(new URL("../web-dist/", import.meta.url));
