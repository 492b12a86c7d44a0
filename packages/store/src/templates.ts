import { createHash } from "node:crypto";
import { type TemplateInfo, TemplateInfoSchema } from "@fanfold/schemas";
import type { Keys } from "./keys.ts";
import type { PlanSigner, PlanTrust } from "./plan-signer.ts";
import type { RedisClient } from "./redis/redis-client.ts";
import { Script } from "./scripts.ts";

const ADD_TEMPLATE = new Script("add_template");
const REMOVE_TEMPLATES = new Script("remove_templates");

/** Most versions of all templates of a deployment together: their list is read as a whole. */
export const MAX_TEMPLATE_VERSIONS = 1_000;
/** Longest text of a template, in bytes. */
export const MAX_TEMPLATE_BYTES = 1024 * 1024;

/** A template that is to be stored. */
export interface NewTemplate {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly phaseCount: number;
  readonly text: string;
}

/** What came of adding a template: `taken`, the version is there with another text; `full`, there are too many. */
export type TemplateAddition = "added" | "same" | "taken" | "full";

/** The plan templates of a deployment: immutable versions, each the text of a plan. */
export class Templates {
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  readonly #signer: PlanSigner | undefined;

  /** @param signer signs new templates and checks stored ones, where the deployment has a key */
  constructor(redis: RedisClient, keys: Keys, signer?: PlanSigner) {
    this.#redis = redis;
    this.#keys = keys;
    this.#signer = signer;
  }

  /** Stores a version; one that is there is left as it is. */
  async add({ name, version, description, phaseCount, text }: NewTemplate, nowMs: number): Promise<TemplateAddition> {
    const signature = this.#signer?.sign(signedId(name, version), text);
    const info: Omit<TemplateInfo, "seq"> = {
      name,
      version,
      description,
      phase_count: phaseCount,
      sha256: createHash("sha256").update(text).digest("hex"),
      size_bytes: Buffer.byteLength(text),
      added_at_ms: nowMs,
      ...(signature === undefined ? {} : { signature }),
    };
    const { templates, templateTexts, templateSeq } = this.#keys;
    const reply = await ADD_TEMPLATE.run(
      this.#redis,
      [templates, templateTexts, templateSeq],
      [`${name}@${version}`, JSON.stringify(info), text, MAX_TEMPLATE_VERSIONS],
    );
    return reply === "same" || reply === "taken" || reply === "full" ? reply : "added";
  }

  /** Every version of every template, the one added last first. */
  async list(): Promise<TemplateInfo[]> {
    const fields = await this.#redis.hvals(this.#keys.templates);
    const all = fields.map((text) => TemplateInfoSchema.parse(JSON.parse(text)));
    return all.sort((a, b) => b.seq - a.seq);
  }

  /** Text of a version, and whether it is what was signed; undefined when it is gone. */
  async findText({ name, version, signature }: TemplateInfo): Promise<{ text: string; trust: PlanTrust } | undefined> {
    const text = await this.#redis.hget(this.#keys.templateTexts, `${name}@${version}`);
    if (text === null) return undefined;
    return { text, trust: this.#signer?.check(signedId(name, version), text, signature ?? null) ?? "unchecked" };
  }

  /** Removes versions. @returns how many were there */
  async remove(versions: readonly Pick<TemplateInfo, "name" | "version">[]): Promise<number> {
    if (versions.length === 0) return 0;
    const { templates, templateTexts } = this.#keys;
    const ids = versions.map(({ name, version }) => `${name}@${version}`);
    return Number(await REMOVE_TEMPLATES.run(this.#redis, [templates, templateTexts], ids));
  }
}

/** What a signature is for: no run has such an id. */
function signedId(name: string, version: string): string {
  return `template ${name}@${version}`;
}
