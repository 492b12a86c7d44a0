import { type Browser, chromium } from "playwright-core";

const QUIET = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
];

/** Starts the machine's own Chromium; `FANFOLD_CHROMIUM` says where it is, if not in its usual place. */
export function openBrowser(): Promise<Browser> {
  const executablePath = process.env.FANFOLD_CHROMIUM ?? "/usr/bin/chromium";
  return chromium.launch({ executablePath, args: QUIET });
}
