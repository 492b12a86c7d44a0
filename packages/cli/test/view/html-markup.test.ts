import * as fc from "fast-check";
import { expect, test } from "vitest";
import { html } from "../../src/view/html-markup.ts";
import { HOSTILE } from "./run-fixture.ts";

test("escapes what is put in, but not what is markup", () => {
  const name = `<script>alert("1" + '2' + \`3\`)</script> & more`;
  expect(html`<td title="${name}">${html`<b>${name}</b>`}</td>`.toString()).toMatchInlineSnapshot(
    `"<td title="&lt;script&gt;alert(&quot;1&quot; + &#39;2&#39; + &#96;3&#96;)&lt;/script&gt; &amp; more"><b>&lt;script&gt;alert(&quot;1&quot; + &#39;2&#39; + &#96;3&#96;)&lt;/script&gt; &amp; more</b></td>"`,
  );
});

test("takes lists, numbers and nothing", () => {
  const rows = ["<", 2, html`<i>3</i>`].map((value) => html`<li>${value}</li>`);
  expect(html`<ul>${rows}${null}${undefined}${false}${0}</ul>`.toString()).toBe(
    "<ul><li>&lt;</li><li>2</li><li><i>3</i></li>0</ul>",
  );
});

test("takes out characters that act on the text around them", () => {
  expect(html`${HOSTILE}`.toString()).toBe("redreversed next line end");
});

test("lets no text become a tag, end an attribute or start an entity", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom("<", ">", '"', "'", "`", "&", ";", "/", "=", "a") })),
      (text) => {
        const escaped = html`${text}`.toString();
        expect(escaped).not.toMatch(/[<>"'`]/);
        expect(escaped.replaceAll(/&(?:amp|lt|gt|quot|#39|#96);/g, "")).not.toContain("&");
      },
    ),
  );
});
