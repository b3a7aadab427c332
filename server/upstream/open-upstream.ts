/** The upstream authority that the configuration names, if it names one. Each kind is loaded when it is named: most servers have none. */
import type { RandomBytes } from '../../spiffe/random.ts'
import type { DiskUpstreamConfig } from './disk.ts'
import type { SpireUpstreamConfig, SpireUpstreamDeps } from './spire.ts'
import type { UpstreamAuthority } from './upstream-authority.ts'

export type UpstreamConfig = DiskUpstreamConfig | SpireUpstreamConfig

/** @throws IdentityError CONFIG_INVALID when its files cannot be used */
export async function openUpstream(
  config: UpstreamConfig | undefined,
  deps: SpireUpstreamDeps & { readonly randomBytes: RandomBytes },
): Promise<UpstreamAuthority | undefined> {
  switch (config?.kind) {
    case undefined:
      return undefined
    case 'disk':
      return await (await import('./disk.ts')).openDiskUpstream(config, deps)
    case 'spire':
      return (await import('./spire.ts')).openSpireUpstream(config, deps)
  }
}
