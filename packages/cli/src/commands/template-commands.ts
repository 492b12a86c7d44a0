import { stripVTControlCharacters } from "node:util";
import type { Command } from "commander";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { addVariableOptions, type PlanFlags } from "../options.ts";
import type { Session } from "../session.ts";
import { print, say, styleOf } from "../terminal.ts";
import { withSession } from "../with-session.ts";

/** `template add`, `ls`, `show` and `rm`: plans that are kept in the deployment, to be run with variables. */
export function addTemplateCommands(program: Command): void {
  const template = program.command("template").description("keep plans to run again with other variables");
  addVariableOptions(
    template
      .command("add")
      .argument("<plan>", "plan file: .yaml, .json, or a module that exports a plan")
      .description("keep a plan as a template, under the plan's version; variables may be left open")
      .option("--name <name>", "name of the template (default: the plan's plan_id)"),
  )
    .option("--json", "print one JSON object")
    .action((file: string, _flags, command: Command) => add(file, command));
  template
    .command("ls")
    .description("list the templates, the built-in ones first")
    .option("--json", "print one JSON array")
    .action((flags: JsonFlag, command: Command) => withSession(command, (session) => list(session, flags)));
  template
    .command("show")
    .argument("<template>", "NAME, which is its latest version, or NAME@VERSION")
    .description("print the plan of a template")
    .option("--json", "print one JSON object, with the variables and versions")
    .action((name: string, flags: JsonFlag, command: Command) =>
      withSession(command, (session) => show(session, name, flags)),
    );
  template
    .command("rm")
    .argument("<template>", "NAME, for all its versions, or NAME@VERSION")
    .description("remove a template; runs that were started from it are not concerned")
    .action((name: string, _flags, command: Command) => withSession(command, (session) => remove(session, name)));
}

interface JsonFlag {
  readonly json?: boolean;
}

interface AddFlags extends PlanFlags {
  readonly name?: string;
}

async function add(file: string, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<AddFlags>();
  const [{ loadTemplateFile, readPlanOptions }, { formatProblem }] = await Promise.all([
    import("../plan-file.ts"),
    import("@fanfold/core"),
  ]);
  const { plan, warnings, text } = await loadTemplateFile(file, await readPlanOptions(flags));
  for (const warning of warnings) say(formatProblem(warning));
  const { version, description } = plan;
  const name = flags.name ?? plan.plan_id;
  await withSession(command, async (session) => {
    const { addTemplate, systemClock } = await import("@fanfold/engine");
    const template = { name, version, description, phaseCount: plan.phases.length, text };
    const isNew = await addTemplate(session.store, template, systemClock.nowMs());
    if (flags.json === true) print(JSON.stringify({ name, version, is_new: isNew }));
    else print(isNew ? `added ${name}@${version}` : `${name}@${version} is there already, with the same plan`);
    return EXIT.ok;
  });
}

async function list(session: Session, { json }: JsonFlag): Promise<ExitCode> {
  const [{ listTemplates, templateDocument }, { renderTemplates }] = await Promise.all([
    import("@fanfold/engine"),
    import("../view/template-table.ts"),
  ]);
  const templates = await listTemplates(session.store);
  print(
    json === true
      ? JSON.stringify(templates.map(templateDocument))
      : renderTemplates(templates, styleOf(process.stdout)),
  );
  return EXIT.ok;
}

async function show(session: Session, reference: string, { json }: JsonFlag): Promise<ExitCode> {
  const [{ findTemplate, listTemplates, templateDocument }, { listVariablesOfText }] = await Promise.all([
    import("@fanfold/engine"),
    import("@fanfold/core"),
  ]);
  const template = await findTemplate(session.store, reference);
  const { text } = template.source;
  if (json !== true) {
    const shown = process.stdout.isTTY ? stripVTControlCharacters(text) : text;
    print(shown.replace(/\n$/, ""));
    return EXIT.ok;
  }
  const versions = (await listTemplates(session.store)).filter(({ name }) => name === template.name);
  const document = {
    ...templateDocument(template),
    versions: versions.map(({ version }) => version),
    variables: Object.fromEntries(
      listVariablesOfText(template.source).map(({ name, declaration }) => [name, declaration]),
    ),
    plan: text,
  };
  print(JSON.stringify(document));
  return EXIT.ok;
}

async function remove(session: Session, reference: string): Promise<ExitCode> {
  const { removeTemplate } = await import("@fanfold/engine");
  const [name] = reference.split("@");
  const versions = await removeTemplate(session.store, reference);
  print(`removed ${versions.map((version) => `${name}@${version}`).join(", ")}`);
  return EXIT.ok;
}
