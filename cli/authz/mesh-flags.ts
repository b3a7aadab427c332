/**
 * The mesh in which policies are judged: that of a proxy's configuration file, with flags before it, or Istio's defaults.
 */

import { PATH_NORMALIZATIONS } from '../../policy/normalize-path.ts'
import type { MeshSettings } from '../../policy/snapshot.ts'
import { loadProxyConfig, type ProxyConfig } from '../../proxy/config.ts'
import { meshSettings } from '../../proxy/self.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { parseTrustDomain } from '../../spiffe/id.ts'
import type { FlagValues } from '../flag/flag.ts'
import { choice, integer, list, path, text } from '../flag/kinds.ts'
import type { Terminal } from '../terminal.ts'

const NOT_GIVEN = -1
const ROOT_NAMESPACE = 'istio-system'
const TRUST_DOMAIN = 'cluster.local'

export const meshFlags = {
  config: path('proxy.conf whose mesh settings, workload and policies count'),
  rootNamespace: {
    ...text('namespace whose policies govern all others'),
    defaultText: ROOT_NAMESPACE,
  },
  trustDomain: { ...text('own trust domain'), defaultText: TRUST_DOMAIN },
  trustDomainAlias: list('another name of our own trust domain'),
  trustedHops: {
    ...integer('proxies in front whose X-Forwarded-For is believed', NOT_GIVEN),
    defaultText: '0',
  },
  pathNormalization: {
    ...choice('how paths are normalised', PATH_NORMALIZATIONS),
    defaultText: 'BASE',
  },
}

export type MeshFlags = FlagValues<typeof meshFlags>

export interface JudgedMesh {
  readonly mesh: MeshSettings
  /** Undefined without `-config`. */
  readonly config: ProxyConfig | undefined
  /** The file leaves the trust domain to the SVID, which only the running proxy knows, and no flag names it. */
  readonly isTrustDomainGuessed: boolean
}

/** @throws IdentityError CONFIG_INVALID, TRUST_DOMAIN_INVALID or REQUEST_INVALID */
export function readMesh(flags: MeshFlags, { env }: Terminal): JudgedMesh {
  const config = flags.config === '' ? undefined : loadProxyConfig(flags.config, {}, env)
  const given = config?.mesh
  const trustDomain = parseTrustDomain(flags.trustDomain || (config?.trustDomain ?? TRUST_DOMAIN))
  const mesh = meshSettings(
    {
      ...given,
      rootNamespace: flags.rootNamespace || (given?.rootNamespace ?? ROOT_NAMESPACE),
      trustDomainAliases:
        flags.trustDomainAlias.length > 0
          ? flags.trustDomainAlias.map(parseTrustDomain)
          : (given?.trustDomainAliases ?? []),
      federatedTrustDomains: given?.federatedTrustDomains ?? [],
      pathNormalization:
        normalization(flags.pathNormalization) ?? given?.pathNormalization ?? 'BASE',
      refuseAmbiguousPaths: given?.refuseAmbiguousPaths ?? true,
      trustedHops: hops(flags.trustedHops) ?? given?.trustedHops ?? 0,
      extensionProviders: given?.extensionProviders ?? [],
    },
    trustDomain,
  )
  const isTrustDomainGuessed =
    flags.trustDomain === '' && config !== undefined && config.trustDomain === undefined
  return { mesh, config, isTrustDomainGuessed }
}

function normalization(text: string): MeshSettings['pathNormalization'] | undefined {
  if (text === '') return undefined
  const known = PATH_NORMALIZATIONS.find((name) => name === text)
  if (known === undefined) {
    const expected = `expected one of ${PATH_NORMALIZATIONS.join(', ')}`
    throw new IdentityError(
      'REQUEST_INVALID',
      `-pathNormalization is ${JSON.stringify(text)}, ${expected}`,
    )
  }
  return known
}

function hops(count: number): number | undefined {
  if (count === NOT_GIVEN) return undefined
  if (count < 0) {
    throw new IdentityError('REQUEST_INVALID', `-trustedHops is ${count}, expected 0 or more`)
  }
  return count
}
