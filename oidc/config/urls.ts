/** The addresses that documents of the provider name, as the operator writes them. */
import { IdentityError } from '../../spiffe/error.ts'

/** @returns the same text. @throws IdentityError CONFIG_INVALID for anything but an absolute http or https URL */
export function parseHttpUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isHttp = url?.protocol === 'https:' || url?.protocol === 'http:'
  if (isHttp && url?.username === '' && url.password === '') return text
  throw new IdentityError(
    'CONFIG_INVALID',
    `${JSON.stringify(text)} is no URL with scheme and host, expected one such as https://oidc.example.org`,
  )
}

const SEGMENTS = /^(?:\/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)*$/

/** @returns the prefix with a slash before it and none behind it; empty for none. @throws IdentityError CONFIG_INVALID */
export function parsePathPrefix(text: string): string {
  const trimmed = text.replace(/^\/+|\/+$/g, '')
  const prefix = trimmed === '' ? '' : `/${trimmed}`
  if (SEGMENTS.test(prefix)) return prefix
  throw new IdentityError(
    'CONFIG_INVALID',
    `${JSON.stringify(text)} is no path, expected one such as /oidc`,
  )
}
