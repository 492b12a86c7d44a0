import { type ArtifactMeta, ArtifactMetaSchema } from "@fanfold/schemas";
import { OutputMask } from "./output-mask.ts";
import { redactCredentials, redactLogText } from "./redact-credentials.ts";
import type { ProgressReport, ReportedEvent, UsageReport } from "./reported-event.ts";
import { SecretMask } from "./secret-mask.ts";

/** Keeps secrets out of everything an attempt shows, logs and reports. */
export class AttemptMasks {
  readonly #secrets: SecretMask | undefined;

  /** @param secrets values by name of the secrets the attempt was given */
  constructor(secrets: ReadonlyMap<string, string>) {
    this.#secrets = secrets.size === 0 ? undefined : new SecretMask(secrets.values());
  }

  /** A text for people without secrets, and without anything that looks like a credential or is named like one. */
  readonly text = (text: string): string => redactLogText(this.#secrets?.text(text) ?? text);

  /** The event with its texts masked. */
  event(event: ReportedEvent): ReportedEvent {
    switch (event.type) {
      case "artifact":
        return { ...event, path: this.#data(event.path), ...this.#meta(event.meta) };
      case "log":
        return { ...event, message: this.text(event.message) };
      case "progress":
        return { ...event, progress: this.#progress(event.progress) };
      case "usage":
        return { ...event, usage: this.#usage(event.usage) };
      case "spawn":
        return { ...event, request: this.#fields(event.request) };
    }
  }

  /** Begins to mask an output stream. */
  output(): OutputMask {
    return new OutputMask(this.#secrets?.stream());
  }

  /** A text that programs read: names in it say nothing. */
  #data(text: string): string {
    return redactCredentials(this.#secrets?.text(text) ?? text);
  }

  #meta(meta: ArtifactMeta | undefined): { meta?: ArtifactMeta } {
    if (meta?.metadata === undefined) return meta === undefined ? {} : { meta };
    const metadata = ArtifactMetaSchema.shape.metadata.safeParse(this.#fields(meta.metadata)).data ?? {};
    return { meta: { ...meta, metadata } };
  }

  #progress(progress: ProgressReport): ProgressReport {
    const masked: { -readonly [Key in keyof ProgressReport]: ProgressReport[Key] } = { ...progress };
    for (const key of ["metric_key", "unit", "message"] as const) {
      const text = masked[key];
      if (text !== undefined) masked[key] = this.text(text);
    }
    return masked;
  }

  #usage(usage: UsageReport): UsageReport {
    const entries = Object.entries(usage);
    return Object.fromEntries(
      entries.map(([key, value]) => [this.#data(key), typeof value === "string" ? this.#data(value) : value]),
    );
  }

  #fields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
    return Object.fromEntries(Object.entries(fields).map(([key, value]) => [this.#data(key), this.#value(value)]));
  }

  #value(value: unknown): unknown {
    if (typeof value === "string") return this.#data(value);
    if (Array.isArray(value)) return value.map((item: unknown) => this.#value(item));
    return typeof value === "object" && value !== null ? this.#fields({ ...value }) : value;
  }
}
