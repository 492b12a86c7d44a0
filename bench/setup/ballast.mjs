// Makes a process as large as a worker that holds much: BENCH_BALLAST_MB of memory it has written to.
globalThis.ballast = Buffer.alloc(Number(process.env.BENCH_BALLAST_MB ?? "0") * 1024 * 1024, 1);
