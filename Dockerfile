# One image for every process of Fanfold; the command says which: scheduler, worker, submit, …
ARG NODE_IMAGE=node:20-bookworm-slim

# The manifests alone, so that a change of a source file does not install everything again.
FROM ${NODE_IMAGE} AS manifests
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages packages
RUN find packages -type f ! -name package.json -delete && find packages -type d -empty -delete

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY --from=manifests /app ./
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.base.json ./
COPY scripts scripts
COPY packages packages
# the packages alone: `npm run build` builds programs of the tests, too
RUN npx tsc -b packages/cli && node scripts/build-web.mjs && node scripts/bundle-cli.mjs \
  && rm -rf packages/testkit packages/*/src packages/dashboard/web packages/*/tsconfig.json packages/*/dist/.tsbuildinfo

# A clean install of what the command needs at run time, and nothing else.
FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY --from=manifests /app ./
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --no-audit --no-fund --omit=dev --workspace fanfold

FROM ${NODE_IMAGE}
# tini reaps what killed commands leave behind; tzdata and libc-bin (zic) are what the example compiles with.
RUN apt-get update \
  && apt-get install -y --no-install-recommends libc-bin tini tzdata \
  && rm -rf /var/lib/apt/lists/* \
  && install -d -o node -g node /data/artifacts /app/.fanfold
WORKDIR /app
ENV NODE_ENV=production FANFOLD_ARTIFACTS=file:/data/artifacts
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/packages packages
COPY package.json ./
COPY examples examples
USER node
HEALTHCHECK --interval=10s --timeout=5s --start-period=15s --retries=3 \
  CMD ["node", "packages/cli/bin/fanfold.js", "ping"]
ENTRYPOINT ["tini", "--", "node", "packages/cli/bin/fanfold.js"]
CMD ["--help"]
