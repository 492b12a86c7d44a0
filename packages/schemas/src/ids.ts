import { z } from "zod";

/** Characters an id may use: safe in Redis keys, BullMQ job ids, file names and URLs alike. */
const ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;
const ID_RULE = "use letters, digits, '_', '-' and '.', starting with a letter or a digit";

/** Id of a plan, as its document declares it. */
export const PlanIdSchema = z.string().min(1).max(128).regex(ID_PATTERN, ID_RULE);

/** Id of a run: `run_<uuid7>` unless the caller gives one, which then is the idempotency key. */
export const RunIdSchema = z.string().min(1).max(128).regex(ID_PATTERN, ID_RULE);

/** Id of a phase within its plan. */
export const PhaseIdSchema = z.string().min(1).max(100).regex(ID_PATTERN, ID_RULE);

/** Name under which a phase provides an artifact and others consume it. */
export const ArtifactNameSchema = z.string().min(1).max(100).regex(ID_PATTERN, ID_RULE);

/** Name of a pool of workers. */
export const PoolNameSchema = z.string().min(1).max(64).regex(ID_PATTERN, ID_RULE);

const MATRIX_PART = "[A-Za-z0-9_][A-Za-z0-9_.-]*=[A-Za-z0-9_][A-Za-z0-9_.-]*";

/**
 * Id of a phase within a run: that of the plan's phase, and for an instance of a matrix its coordinates, as in
 * `translate[language=french,tone=formal]`.
 */
export const InstanceIdSchema = z
  .string()
  .min(1)
  .max(300)
  .regex(new RegExp(`^[A-Za-z0-9][A-Za-z0-9_.-]*(\\[${MATRIX_PART}(,${MATRIX_PART})*\\])?$`));
