import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { collectIds } from "../src/options.ts";
import { loadPlanFile, readPlanOptions } from "../src/plan-file.ts";
import { buildProgram } from "../src/program.ts";

const PLAN = `plan_id: sample
version: "1"
variables: { TONE: { type: enum, values: [formal, casual], default: formal }, COUNT: { type: number, default: 1 } }
phases:
  - { id: ingest, command: ingest, args: ["\${TONE}", "\${COUNT}"] }
  - id: translate
    command: translate
    matrix: { language: [french, japanese] }
    depends_on: [{ phase: ingest, kind: soft }]
    shard: { strategy: chunk, chunk_size: 2, over: [1, 2, 3] }
  - { id: report, command: report, depends_on: [translate] }
`;

let dir = "";
let plan = "";

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "fanfold-plan-"));
  plan = join(dir, "plan.yaml");
  await writeFile(plan, PLAN);
});
afterAll(() => rm(dir, { recursive: true }));
afterEach(() => {
  process.exitCode = undefined;
  vi.restoreAllMocks();
});

/** Runs a command in this process; gives what it prints and its exit code. */
async function fanfold(...args: string[]): Promise<{ out: string; err: string; code: unknown }> {
  const streams = { out: "", err: "" };
  vi.spyOn(process.stdout, "write").mockImplementation((text) => ((streams.out += String(text)), true));
  vi.spyOn(process.stderr, "write").mockImplementation((text) => ((streams.err += String(text)), true));
  await buildProgram().parseAsync(["node", "fanfold", "--workspace", dir, ...args]);
  const { exitCode: code } = process;
  vi.restoreAllMocks();
  return { ...streams, code };
}

async function write(name: string, text: string): Promise<string> {
  await writeFile(join(dir, name), text);
  return join(dir, name);
}

describe("fanfold validate", () => {
  test("says that a plan is valid, and how many phases it makes", async () => {
    expect(await fanfold("validate", plan)).toEqual({ out: `${plan} is a valid plan: 4 phases\n`, err: "", code: 0 });
  });

  test("prints every problem and exits 2, as JSON on demand", async () => {
    const broken = await write(
      "broken.yaml",
      PLAN.replace("id: report", "id: translate").replace("[translate] }", "[transalte] }"),
    );
    const { out, code } = await fanfold("validate", broken);
    expect(code).toBe(2);
    expect(out).toMatch(
      /broken.yaml:11:11: error DUPLICATE_PHASE(.|\n)*UNKNOWN_DEPENDENCY(.|\n)*hint: did you mean "translate"\?\n\n.*: 2 errors\n$/,
    );
    const { out: json } = await fanfold("validate", broken, "--json");
    expect(JSON.parse(json)).toMatchObject({
      ok: false,
      problems: [{ code: "DUPLICATE_PHASE", line: 11 }, { column: 52 }],
    });
  });

  test("fails on a warning when strict", async () => {
    const doubtful = await write("doubtful.yaml", PLAN.replace("command: report", 'command: "${WHAT}"'));
    expect(await fanfold("validate", doubtful)).toMatchObject({
      code: 0,
      out: expect.stringContaining("warning UNRESOLVED_VARIABLE"),
    });
    expect(await fanfold("validate", doubtful, "--strict")).toMatchObject({
      code: 2,
      out: expect.stringContaining("error UNRESOLVED_VARIABLE"),
    });
  });

  test("checks the selection", async () => {
    expect(await fanfold("validate", plan, "--only", "reprot,ingest")).toMatchObject({
      code: 2,
      out: expect.stringContaining(
        'error UNKNOWN_SELECTION: only names "reprot", but no phase has that id\n  hint: did you mean "report"?',
      ),
    });
  });
});

describe("fanfold explain", () => {
  test("says what would run, in which order and how", async () => {
    const { out } = await fanfold("explain", plan, "--skip", "ingest,translate[language=japanese]");
    expect(out).toMatchInlineSnapshot(`
      "sample 1: 1 of 4 phases would run, 2 left out, 1 blocked
      no cap on shards at once · cancellation isolated
      Nothing was started.

       1  ingest  left out: skipped by the selection
          work      ingest formal 1
          shards    1
          limits    pool default · timeout 30 min
          failure   no retries · ends the run
          provides  ingest

       1  translate[language=french]  runs
          work      translate
          shards    2 by chunk, from 3 records, merged as records
          limits    pool default · timeout 30 min
          failure   no retries · ends the run
          provides  translate

       1  translate[language=japanese]  left out: skipped by the selection
          work      translate
          shards    2 by chunk, from 3 records, merged as records
          limits    pool default · timeout 30 min
          failure   no retries · ends the run
          provides  translate

       2  report  blocked: needs translate[language=japanese], which takes no part, unless there is an earlier output
          work      report
          after     translate[language=french], translate[language=japanese]
          shards    1
          limits    pool default · timeout 30 min
          failure   no retries · ends the run
          provides  report
      "
    `);
  });

  test("gives the same as JSON", async () => {
    const { out } = await fanfold("explain", plan, "--json");
    expect(JSON.parse(out)).toMatchObject({
      plan_id: "sample",
      counts: { runs: 4 },
      phases: [{ phase: "ingest", shards: { count: 1 } }, {}, {}, {}],
    });
  });

  test("prints warnings aside, and refuses a plan that is wrong", async () => {
    const doubtful = await write("doubtful.yaml", PLAN.replace("command: report", 'command: "${WHAT}"'));
    expect((await fanfold("explain", doubtful)).err).toContain("warning UNRESOLVED_VARIABLE");
    const broken = await write("broken.yaml", PLAN.replace("[translate] }", "[nobody] }"));
    await expect(fanfold("explain", broken)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining("UNKNOWN_DEPENDENCY"),
    });
  });
});

test("fanfold graph draws Mermaid, or DOT", async () => {
  expect((await fanfold("graph", plan)).out).toMatch(/^flowchart TD\n(.|\n)*p0 -\.-> p1\n/);
  expect((await fanfold("graph", plan, "--format", "dot")).out).toMatch(/^digraph "sample" \{\n/);
});

test("fanfold schema prints a JSON Schema", async () => {
  expect(JSON.parse((await fanfold("schema")).out)).toMatchObject({ title: "Fanfold plan", type: "object" });
});

describe("the variables of a command", () => {
  test("come from a file and from flags, which win, and the first = ends the name", async () => {
    const varsFile = await write("vars.yaml", "TONE: casual\nCOUNT: 1.50\n");
    const options = await readPlanOptions({ var: { TONE: "formal" }, varsFile, workspace: dir });
    expect(options.variables).toEqual({ TONE: "formal", COUNT: "1.50" });
    expect((await loadPlanFile(plan, options)).plan.variables).toEqual({ TONE: "formal", COUNT: "1.50" });
    const { out } = await fanfold("validate", plan, "--var", "TONE=a=b");
    expect(out).toContain('variable TONE cannot be "a=b": it must be formal or casual');
  });

  test("are refused with their place where the file is wrong or missing", async () => {
    const varsFile = await write("wrong.yaml", "TONE: formal\nCOUNT: [1]\n");
    await expect(readPlanOptions({ var: {}, varsFile, workspace: dir })).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(
        /wrong\.yaml:2:8: error WRONG_TYPE: variable COUNT(.|\n)*gives no variables: 1 error$/,
      ),
    });
    await expect(readPlanOptions({ var: {}, varsFile: join(dir, "none.yaml"), workspace: dir })).rejects.toThrow(
      /cannot read the file of variables .*none.yaml: there is no such file/,
    );
  });
});

describe("ids on the command line", () => {
  test("are apart by commas, but for those in brackets, and add up", () => {
    expect(collectIds("a, b", undefined)).toEqual(["a", "b"]);
    expect(collectIds("t[x=1,y=2],c", ["a"])).toEqual(["a", "t[x=1,y=2]", "c"]);
  });

  test.each(["", "a,", ",a", "a,,b"])("are not empty: %j", (text) => {
    expect(() => collectIds(text, undefined)).toThrow("write ids of phases, apart by commas");
  });
});
