/** What no single key of proxy.conf can know: whether all of them together make a proxy. */
import { IdentityError } from '../../spiffe/error.ts'
import type { ProxyConfig } from '../config.ts'
import { checkDelegated } from './delegated-keys.ts'
import { isLoopback } from './endpoint.ts'
import { checkListenAddresses } from './listen-addresses.ts'
import { checkTransports } from './mesh-transport.ts'
import { checkPolicySource } from './policy-source-keys.ts'
import { checkWorkers } from './workers-key.ts'

/** @throws IdentityError CONFIG_INVALID */
export function checkWhole(path: string, config: ProxyConfig): void {
  const { inbound, outbound, admin, hbone, capture } = config
  if (inbound.length + outbound.length === 0 && hbone === undefined && capture === undefined) {
    const expected = 'expected an inbound, outbound, hbone or capture block'
    throw invalid(`${path}: no listener is configured (${expected})`)
  }
  checkDelegated(path, config)
  checkPolicySource(path, config)
  checkTransports(path, config)
  checkWorkers(path, config)
  checkListenAddresses(path, config)
  for (const { name, listen } of inbound) {
    if (listen.kind === 'tcp') continue
    throw invalid(`${path}: proxy.inbound.${name} listens on a Unix socket (expected ip:port)`)
  }
  for (const { name, authorize } of outbound) {
    if (authorize.length > 0) continue
    throw invalid(`${path}: proxy.outbound.${name}.authorize is empty (expected who may answer)`)
  }
  if (config.probes?.listen.kind === 'unix') {
    throw invalid(`${path}: proxy.probes.listen is a Unix socket (expected ip:port)`)
  }
  if (admin?.kind === 'tcp' && !isLoopback(admin.host)) {
    const why = 'expected a loopback address or unix:/path, for nobody else may ask'
    throw invalid(`${path}: proxy.admin.listen is ${admin.host} (${why})`)
  }
}

function invalid(message: string): IdentityError {
  return new IdentityError('CONFIG_INVALID', message)
}
