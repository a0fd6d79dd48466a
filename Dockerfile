# The chat service: `docker build -t headgate-chat .`, then `docker run -p 3000:3000 -v headgate:/data headgate-chat`.
# deploy/compose.yaml runs it with PostgreSQL and Redis.

# `sh deploy/pin-images.sh` pins it by its digest.
ARG NODE_IMAGE=node:24.21.0-slim

# What is built: the library, its server package, the operator's console, the service, and the page.
FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY packages/headgate/package.json packages/headgate/
COPY packages/headgate-server/package.json packages/headgate-server/
COPY packages/headgate-console/package.json packages/headgate-console/
COPY apps/chat/package.json apps/chat/
# No install scripts: this image already has Node, and no other package needs its script.
RUN npm ci --ignore-scripts --loglevel=error
COPY tsconfig.base.json ./
COPY packages/headgate packages/headgate
COPY packages/headgate-server packages/headgate-server
COPY packages/headgate-console packages/headgate-console
COPY apps/chat apps/chat
RUN node packages/headgate/build.ts
RUN node node_modules/typescript/bin/tsc -p packages/headgate-server/tsconfig.build.json
RUN node packages/headgate-console/build.ts
RUN node apps/chat/bundle.ts
RUN node_modules/.bin/vite build --config apps/chat/web/vite.config.ts

# What runs: what was built, and no sources. The embedded database alone stays a package: it finds its engine beside itself.
FROM ${NODE_IMAGE}
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 DATABASE_URL=pglite:///data
WORKDIR /app
COPY apps/chat/package.json apps/chat/package.json
COPY apps/chat/server/database/migrations apps/chat/server/database/migrations
COPY --from=build /app/node_modules/@electric-sql/pglite node_modules/@electric-sql/pglite
COPY --from=build /app/apps/chat/server/dist apps/chat/server/dist
COPY --from=build /app/apps/chat/web/dist apps/chat/web/dist
RUN mkdir /data && chown node:node /data
VOLUME /data
USER node
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# After SIGTERM, running answers may end: wait SHUTDOWN_GRACE_SECONDS (30) before SIGKILL.
# The operator's commands: `docker exec <container> node apps/chat/server/dist/credit.js`, `…/account.js` and `…/limit.js`.
CMD ["node", "apps/chat/server/dist/main.js"]
