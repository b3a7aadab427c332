/** The upstream authority that the configuration names, if it names one. */
import type { RandomBytes } from '../../spiffe/random.ts'
import { type DiskUpstreamConfig, openDiskUpstream } from './disk.ts'
import { openSpireUpstream, type SpireUpstreamConfig, type SpireUpstreamDeps } from './spire.ts'
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
      return await openDiskUpstream(config, deps)
    case 'spire':
      return openSpireUpstream(config, deps)
  }
}
