# One image for every role: `switchyard worker --roles …`. docker-compose.yml runs it.
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN node scripts/build.ts && npm prune --omit=dev

FROM node:24.21.0-bookworm-slim
# bubblewrap isolates the code of PRs; passt, slirp4netns and iproute2 give its set-up a network without our loopback;
# tini reaps what a repository's commands leave behind.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends \
    bubblewrap ca-certificates git iproute2 passt slirp4netns tini \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/switchyard
COPY --from=build /build/package.json ./
COPY --from=build /build/node_modules ./node_modules
COPY --from=build /build/bin ./bin
COPY --from=build /build/scripts/bootstrap.mjs ./scripts/
COPY --from=build /build/tools ./tools
COPY --from=build /build/docs/schema ./docs/schema
COPY --from=build /build/dist ./dist
RUN ln -s /opt/switchyard/bin/switchyard.mjs /usr/local/bin/switchyard \
  && install --directory --owner=node --group=node /var/lib/switchyard
ENV SWITCHYARD_HOME=/var/lib/switchyard NODE_NO_WARNINGS=1
USER node
WORKDIR /var/lib/switchyard
# A minute apart: it starts a sandbox, opens the ledger and asks the server.
HEALTHCHECK --interval=60s --timeout=30s --start-period=60s --retries=3 CMD ["switchyard", "doctor", "--json"]
ENTRYPOINT ["tini", "--", "switchyard"]
CMD ["--help"]
