/** Relationships with other trust domains. Their bundles are in `bundles`, with or without a relationship. */
export const federation: readonly string[] = [
  `create table federation_relationships (
    trust_domain text collate "C" primary key,
    endpoint_url text not null,
    profile text not null,
    endpoint_spiffe_id text
  )`,
]
