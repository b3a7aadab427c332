/** The server's own bundle: read by every mask, and added to by administrators and downstream servers. */
import { inOurWords } from './accepted.ts'
import { BUNDLE_FIELDS, jwt, jwtKey, x509 } from './bundle-requests.ts'
import { csr, expiredRoot, leaf, PUBLIC_KEYS, root } from './material.ts'
import type { Message } from './methods.ts'
import type { Step } from './story.ts'

const append = (request: Message): Step => ({
  call: 'Bundle/AppendBundle',
  with: { output_mask: {}, ...request },
})

export const OWN_BUNDLE: readonly Step[] = [
  { call: 'Bundle/GetBundle' },
  { as: 'nobody', call: 'Bundle/GetBundle' },
  { call: 'Bundle/GetBundle', with: { output_mask: {} } },
  ...BUNDLE_FIELDS.map(
    (field): Step => ({ call: 'Bundle/GetBundle', with: { output_mask: { [field]: true } } }),
  ),
  { call: 'Bundle/CountBundles' },
  append({}),
  append(x509()),
  inOurWords(append(x509(Buffer.from('garbage'))), 'failed to convert X.509 authority: '),
  inOurWords(append(x509(root.subarray(0, 50))), 'failed to convert X.509 authority: '),
  inOurWords(
    append(x509(Buffer.concat([root, Buffer.from('garbage')]))),
    'failed to convert X.509 authority: ',
  ),
  inOurWords(append(x509(csr)), 'failed to convert X.509 authority: '),
  inOurWords(append(jwt({})), 'failed to convert JWT authority: '),
  append(jwt(jwtKey({ key_id: '' }))),
  inOurWords(
    append(jwt(jwtKey({ public_key: Buffer.from('') }))),
    'failed to convert JWT authority: ',
  ),
  inOurWords(
    append(jwt(jwtKey({ public_key: PUBLIC_KEYS.garbage }))),
    'failed to convert JWT authority: ',
  ),
  append({ wit_authorities: [jwtKey()] }),
  append({ ...x509(root), ...jwt(jwtKey({ key_id: '' })) }),
  append({ ...x509(root), ...jwt(jwtKey()), output_mask: undefined }),
  append({ ...x509(root), output_mask: { x509_authorities: true } }),
  append({ ...x509(leaf), output_mask: { x509_authorities: true } }),
  append({ ...x509(expiredRoot), output_mask: { x509_authorities: true } }),
  append({
    x509_authorities: [{ asn1: root, tainted: true }],
    output_mask: { x509_authorities: true },
  }),
  append({
    ...jwt(jwtKey({ key_id: 'never', expires_at: 0 })),
    output_mask: { jwt_authorities: true },
  }),
  append({
    ...jwt(jwtKey({ key_id: 'past', expires_at: 1, tainted: true })),
    output_mask: { jwt_authorities: true },
  }),
  append({
    ...jwt(jwtKey({ key_id: 'before', expires_at: -1 })),
    output_mask: { jwt_authorities: true },
  }),
  append({ ...jwt(jwtKey({ key_id: 'rsa', public_key: PUBLIC_KEYS.rsa2048 })) }),
  append({ ...jwt(jwtKey({ key_id: 'p521', public_key: PUBLIC_KEYS.p521 })) }),
  append({ ...jwt(jwtKey({ key_id: 'ed25519', public_key: PUBLIC_KEYS.ed25519 })) }),
  { call: 'Bundle/CountBundles' },
  { as: 'downstream', call: 'Bundle/PublishJWTAuthority' },
  inOurWords(
    { as: 'downstream', call: 'Bundle/PublishJWTAuthority', with: { jwt_authority: {} } },
    'invalid JWT authority: ',
  ),
  {
    as: 'downstream',
    call: 'Bundle/PublishJWTAuthority',
    with: { jwt_authority: jwtKey({ key_id: '' }) },
  },
  inOurWords(
    {
      as: 'downstream',
      call: 'Bundle/PublishJWTAuthority',
      with: { jwt_authority: jwtKey({ public_key: PUBLIC_KEYS.garbage }) },
    },
    'invalid JWT authority: ',
  ),
  {
    as: 'downstream',
    call: 'Bundle/PublishJWTAuthority',
    with: { jwt_authority: jwtKey({ key_id: 'published' }) },
  },
  {
    as: 'downstream',
    call: 'Bundle/PublishJWTAuthority',
    with: { jwt_authority: jwtKey({ key_id: 'published' }) },
  },
  { as: 'downstream', call: 'Bundle/PublishWITAuthority' },
  { as: 'downstream', call: 'Bundle/PublishWITAuthority', with: { wit_authority: jwtKey() } },
]
