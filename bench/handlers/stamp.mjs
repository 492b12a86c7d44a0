/** Tells when it was run, in ns of the clock that all processes of a machine share. */
export default () => String(process.hrtime.bigint());
