# The server's image: one static program, its bill of materials, and a folder for data. See docs/container.md.
# scripts/package-container assembles the same image without an engine, and for another architecture.

FROM docker.io/library/rust:1.95-bookworm AS build
WORKDIR /admit
COPY . .
RUN scripts/package-container --root /image

FROM scratch
LABEL org.opencontainers.image.title="Admit" \
      org.opencontainers.image.description="A SMART on FHIR authorization server" \
      org.opencontainers.image.licenses="Apache-2.0 OR MIT" \
      org.opencontainers.image.version="0.1.0"
COPY --from=build /image/admit /image/admit.cdx.json /
# The only place that is written to: the SQLite database and its master key. PostgreSQL needs nothing here.
COPY --from=build --chown=65532:65532 /image/data /data
USER 65532:65532
WORKDIR /data
ENV PATH=/ PORT=8080 ADMIT_DATABASE=/data/admit.db
EXPOSE 8080
VOLUME /data
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 CMD ["/admit", "health"]
ENTRYPOINT ["/admit"]
CMD ["serve"]
