/** Every call of the server's API that administrators alone may make, in an order in which each can succeed. */
import type { Client } from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import { definitionsOf } from '../../../proto/load.ts'
import { call } from './rpc.ts'

export interface AdminCall {
  readonly file: 'agent' | 'bundle' | 'entry' | 'localAuthority' | 'svid' | 'trustDomain'
  /** Package, service and method, e.g. `spire.api.server.agent.v1.Agent/CountAgents`. */
  readonly method: string
  readonly request: object
  /** How an administrator is answered; OK unless told otherwise. */
  readonly answer?: RegExp
}

export interface Material {
  /** Attested, and spared. */
  readonly agentPath: string
  /** Attested, to be banned and evicted. */
  readonly victimPath: string
  /** DER of a CA certificate of nobody here. */
  readonly root: Uint8Array
  readonly csr: Uint8Array
}

const trustDomain = 'example.org'
const ENTRY = 'made-over-the-port'

/** @param run a word that is in no other run: what is written is called after it */
export function adminCalls(material: Material, run: string): readonly AdminCall[] {
  return [
    ...agentCalls(material),
    ...entryCalls(material, run),
    ...svidCalls(material),
    ...bundleCalls(material, run),
    ...trustDomainCalls(run),
    ...authorityCalls(),
  ]
}

const service =
  (file: AdminCall['file'], name: string) =>
  (method: string, request: object, answer?: RegExp): AdminCall => ({
    file,
    method: `spire.api.server.${name}/${method}`,
    request,
    ...(answer === undefined ? {} : { answer }),
  })

const idOf = (path: string) => ({ trust_domain: trustDomain, path })

function agentCalls({ agentPath, victimPath }: Material): readonly AdminCall[] {
  const on = service('agent', 'agent.v1.Agent')
  return [
    on('CountAgents', {}),
    on('ListAgents', {}),
    on('GetAgent', { id: idOf(agentPath) }),
    on('CreateJoinToken', { ttl: 60 }),
    on('BanAgent', { id: idOf(victimPath) }, /^(OK|NOT_FOUND.*)$/),
    on('DeleteAgent', { id: idOf(victimPath) }, /^(OK|NOT_FOUND.*)$/),
  ]
}

function entryCalls({ agentPath }: Material, run: string): readonly AdminCall[] {
  const on = service('entry', 'entry.v1.Entry')
  const id = `${ENTRY}-${run}`
  const entry = {
    id,
    spiffe_id: idOf(`/made/${run}`),
    parent_id: idOf(agentPath),
    selectors: [{ type: 'unix', value: 'user:nobody' }],
  }
  return [
    on('BatchCreateEntry', { entries: [entry] }),
    on('CountEntries', {}),
    on('ListEntries', {}),
    on('GetEntry', { id }),
    on('BatchUpdateEntry', { entries: [{ ...entry, hint: 'new' }] }),
    on('BatchDeleteEntry', { ids: [id] }),
  ]
}

function svidCalls({ csr }: Material): readonly AdminCall[] {
  const on = service('svid', 'svid.v1.SVID')
  return [
    on('MintX509SVID', { csr }),
    on('MintJWTSVID', { id: idOf('/minted'), audience: ['a'] }),
    on('MintWITSVID', { id: idOf('/minted') }, /^UNIMPLEMENTED/),
  ]
}

function bundleCalls({ root }: Material, run: string): readonly AdminCall[] {
  const on = service('bundle', 'bundle.v1.Bundle')
  const bundle = { trust_domain: `${run}.test`, x509_authorities: [{ asn1: root }] }
  return [
    on('CountBundles', {}),
    on('AppendBundle', { x509_authorities: [{ asn1: root }] }),
    on('BatchCreateFederatedBundle', { bundle: [bundle] }),
    on('ListFederatedBundles', {}),
    on('GetFederatedBundle', { trust_domain: bundle.trust_domain }),
    on('BatchUpdateFederatedBundle', { bundle: [bundle] }),
    on('BatchSetFederatedBundle', { bundle: [bundle] }),
    on('BatchDeleteFederatedBundle', { trust_domains: [bundle.trust_domain] }),
  ]
}

function trustDomainCalls(run: string): readonly AdminCall[] {
  const on = service('trustDomain', 'trustdomain.v1.TrustDomain')
  const relationship = {
    trust_domain: `${run}.federated.test`,
    bundle_endpoint_url: 'https://federated.test/bundle',
    https_web: {},
  }
  const { trust_domain: name } = relationship
  return [
    on('BatchCreateFederationRelationship', { federation_relationships: [relationship] }),
    on('ListFederationRelationships', {}),
    on('GetFederationRelationship', { trust_domain: name }),
    on('BatchUpdateFederationRelationship', { federation_relationships: [relationship] }),
    on('RefreshBundle', { trust_domain: 'nobody.test' }, /^NOT_FOUND/),
    on('BatchDeleteFederationRelationship', { trust_domains: [name] }),
  ]
}

function authorityCalls(): readonly AdminCall[] {
  const on = service('localAuthority', 'localauthority.v1.LocalAuthority')
  const nobody = { authority_id: 'nobody' }
  const refused = /^(INVALID_ARGUMENT|FAILED_PRECONDITION|INTERNAL)/
  return (['X509', 'JWT'] as const).flatMap((kind) => [
    on(`Prepare${kind}Authority`, {}),
    on(`Get${kind}AuthorityState`, {}),
    on(`Activate${kind}Authority`, nobody, refused),
    on(`Taint${kind}Authority`, nobody, refused),
    on(`Revoke${kind}Authority`, nobody, refused),
  ])
}

/** Makes one call. @throws ServiceError, and Error for a batch of which an item failed */
export async function make({ file, method, request }: AdminCall, client: Client): Promise<void> {
  const [service = '', name = ''] = method.split('/')
  // Cast: the loader types its map by name only; these are services.
  const methods = definitionsOf(file)[service] as unknown as Record<
    string,
    MethodDefinition<object, { results?: readonly { status: { code: number } }[] }>
  >
  const definition = methods[name]
  if (definition === undefined) throw new Error(`there is no method ${method}`)
  const { path, requestSerialize, responseDeserialize } = definition
  const { results = [] } = await call<{ results?: readonly { status: { code: number } }[] }>(
    (done) => client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, done),
  )
  const failed = results.find(({ status }) => status.code !== 0)
  if (failed !== undefined) throw new Error(`${method}: ${JSON.stringify(failed)}`)
}
