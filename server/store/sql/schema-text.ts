/** What is said of a database whose schema is not that of the program: the same for both engines. */
import { IdentityError } from '../../../spiffe/error.ts'

/** @param where the path, or host and database */
export function unreadableSchema(where: string, unknown: readonly string[]): IdentityError {
  return new IdentityError(
    'UNAVAILABLE',
    `database ${where} cannot be brought to the schema of this version (it has ${unknown.join(', ')}): was it written by a newer one? Versions work together when they follow each other, unless the notes of the newer one say otherwise`,
  )
}

export function olderSchema(where: string, missing: readonly string[]): IdentityError {
  return new IdentityError(
    'UNAVAILABLE',
    `database ${where} is of an older version (it lacks ${missing.join(', ')}) and disable_migration is set: back it up, then start once without disable_migration`,
  )
}

/** @param running the newest migrations that they know */
export function othersCannotFollow(
  where: string,
  missing: readonly string[],
  running: readonly string[],
): IdentityError {
  return new IdentityError(
    'UNAVAILABLE',
    `database ${where} lacks ${missing.join(', ')}, and servers run on it whose newest is ${running.join(', ')}, which could not go on after that: go by the version in between, or stop them first`,
  )
}
