import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { applyTheme, readTheme } from "./shell/theme.ts";
import "./styles/index.css";

applyTheme(readTheme());
const root = document.querySelector("#root");
if (root !== null) createRoot(root).render(<App />);
