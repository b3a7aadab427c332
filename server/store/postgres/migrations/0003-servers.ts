/** The servers that share the store, and what they ask of each other. Times are unix milliseconds by this database's clock. */
export const servers: readonly string[] = [
  `create table servers (
    server_key text collate "C" primary key,
    incarnation text collate "C" not null,
    document text not null,
    seen_at_ms bigint not null
  )`,
  `create table server_questions (
    id text collate "C" primary key,
    server_key text collate "C" not null,
    question text not null,
    answer text,
    asked_at_ms bigint not null
  )`,
  'create index server_questions_server_key on server_questions (server_key)',
]
