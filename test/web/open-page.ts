import type { Browser, BrowserContextOptions, Page } from "playwright-core";

/** A page of the dashboard, and what the browser complained of: breaches of the policy included. */
export interface OpenPage {
  readonly page: Page;
  readonly troubles: string[];
}

/** Opens a page in a context of its own; the context closes with the browser. */
export async function openPage(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<OpenPage> {
  const context = await browser.newContext({
    viewport: { width: 1400, height: 900 },
    reducedMotion: "reduce",
    ...options,
  });
  const page = await context.newPage();
  const troubles: string[] = [];
  page.on("pageerror", ({ message }) => troubles.push(message));
  page.on("console", (message) => {
    const isOfPolicy = /Content Security Policy/i.test(message.text());
    if (message.type() === "error" && isOfPolicy) troubles.push(message.text());
  });
  await page.goto(url);
  return { page, troubles };
}
