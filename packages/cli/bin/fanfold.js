#!/usr/bin/env node
import { existsSync } from "node:fs";

const entry = new URL("../bundle/main.js", import.meta.url);
if (existsSync(entry)) {
  const { main } = await import(entry.href);
  await main(process.argv);
} else {
  process.stderr.write("fanfold is not built yet: run `npm run build` in the checkout first\n");
  process.exitCode = 3;
}
