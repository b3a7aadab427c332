/** Which programs can go on after a migration: noted by the program that carries it out, for those that do not know it. */
export const readers: readonly string[] = [
  `create table schema_readers (
    migration text collate "C" primary key,
    oldest_reader text collate "C" not null
  )`,
]
