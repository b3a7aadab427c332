# The image of server, agent and proxy: the `steeple` command on a base without a shell, a package manager or root.
#
#   docker build -t steeple .
#
# BUILDER has npm and either nft or apt; BASE has glibc 2.28 or newer, libstdc++ and CA certificates.
ARG BUILDER=docker.io/library/node:24-bookworm-slim
ARG BASE=gcr.io/distroless/cc-debian12:nonroot

FROM ${BUILDER} AS build
# The proxy's redirection rules are put in place by nft.
RUN command -v nft >/dev/null || { apt-get update && apt-get install -y --no-install-recommends nftables; }
WORKDIR /src
COPY package.json package-lock.json ./
# Native parts come ready-made inside their packages.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund && sh deploy/image/assemble.sh /out

FROM ${BASE}
COPY --from=build /out/ /
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/steeple"]
