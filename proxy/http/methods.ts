/** The methods that are let through: IANA's registry and those that llhttp knows. Case-sensitive; any other gets 400. */

const NAMES = [
  'GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH',
  'COPY LOCK MKCOL MOVE PROPFIND PROPPATCH SEARCH UNLOCK BIND REBIND UNBIND ACL',
  'REPORT MKACTIVITY CHECKOUT MERGE M-SEARCH NOTIFY SUBSCRIBE UNSUBSCRIBE PURGE MKCALENDAR LINK UNLINK QUERY',
]

/** From the name to the same name, so that a request keeps no string of its own. */
export const METHODS: ReadonlyMap<string, string> = new Map(
  NAMES.flatMap((line) => line.split(' ')).map((name) => [name, name]),
)

/** Requests that may be sent once more when a kept connection turns out to be gone. @see RFC 9110 §9.2.2 */
export const IDEMPOTENT: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'PUT',
  'DELETE',
])
