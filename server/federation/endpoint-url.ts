/**
 * The URL of a bundle endpoint, checked before anything is kept or fetched. Refuses everything but plain https URLs:
 * user info would be a secret in the open, and a URL that is read in two ways could name two hosts.
 *
 * @see Federation §5.2 — the endpoint is an HTTPS URL
 */
import { IdentityError } from '../../spiffe/error.ts'

const MAX_URL_LENGTH = 2_048
/** Browsers drop or rewrite these before they look at a URL; nobody may send them. */
const FORBIDDEN = /[^\x21-\x7e]|["<>\\^`{|}]/

/** A percent sign in the path without two hex digits behind it. */
const BAD_ESCAPE = /^[^?#]*%(?![0-9A-Fa-f]{2})/

/** @returns the same text, its scheme in lower case. @throws IdentityError REQUEST_INVALID */
export function checkEndpointUrl(text: string): string {
  if (text.length > MAX_URL_LENGTH)
    throw malformed(`it is longer than ${MAX_URL_LENGTH} characters`)
  if (FORBIDDEN.test(text)) throw malformed('it has a character that no URL may have')
  const [, authority] = /^https:(?:\/\/([^/?#]*))?/i.exec(text) ?? []
  if (!/^https:/i.test(text)) throw refusal('bundle endpoint URL must use the https scheme')
  if (!authority) throw refusal('bundle endpoint URL must specify the host')
  if (authority.includes('@')) throw refusal('bundle endpoint URL must not contain user info')
  if (!URL.canParse(text)) throw malformed('its host or port is none')
  if (BAD_ESCAPE.test(text)) throw malformed('a percent sign begins no escape')
  return `https:${text.slice('https:'.length)}`
}

function malformed(why: string): IdentityError {
  return refusal(`failed to parse bundle endpoint URL: ${why}`)
}

function refusal(message: string): IdentityError {
  return new IdentityError('REQUEST_INVALID', message)
}
