/** The acme block: where certificates of the Web are obtained, wherever an HTTPS server can do so. */
import { optional, withDefault } from './check.ts'
import { textLike, truth, type Value, value } from './value.ts'

const LETS_ENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory'

/** Not two addresses, and no header fields: RFC 8555 §7.3 lets a CA refuse an account with either. */
const EMAIL = /^[^\s@,?&%]+@[^\s@,?&%]+$/
/** A CA verifies no IP address and no wildcard by TLS-ALPN-01: the last label is no number. */
const DOMAIN = /^(?=.{1,253}$)(?:(?!-)[a-z0-9_-]{1,63}(?<!-)\.)*(?!-|\d+$)[a-z0-9-]{1,63}(?<!-)$/i

export function acmeKeys() {
  return {
    directory_url: withDefault(httpsUrl(), LETS_ENCRYPT, 'where the CA begins'),
    email: optional(
      textLike(EMAIL, 'one address such as ops@example.org'),
      'where the CA may write to',
    ),
    tos_accepted: withDefault(truth(), 'false', 'whether its terms of service are accepted'),
  }
}

export function isDomainName(text: string): boolean {
  return DOMAIN.test(text)
}

export function domainName(): Value<string> {
  return textLike(DOMAIN, 'a DNS name such as federation.example.org')
}

function httpsUrl(): Value<string> {
  return value((node) => {
    if (node.kind !== 'string') return { kind: 'wrong', message: 'is no text' }
    if (node.value === '') return { kind: 'unset' }
    const url = URL.canParse(node.value) ? new URL(node.value) : undefined
    if (url !== undefined && `${url.username}${url.password}` !== '') {
      return { kind: 'wrong', message: 'has credentials' } // which nobody quotes
    }
    if (url?.protocol === 'https:') return { kind: 'value', value: node.value }
    return { kind: 'wrong', message: `is ${JSON.stringify(node.value)}` }
  }, 'an https URL')
}
