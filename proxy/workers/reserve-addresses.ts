/**
 * The addresses of a configuration, taken for a moment before workers share them: each must be free now, and no two listeners may have the same, so that
 * what is refused without workers is refused with them. Where any port will do it is chosen here, for all workers.
 */
import type { Address } from '../../config/address.ts'
import { wildcard } from '../capture/wildcard.ts'
import type { ProxyConfig } from '../config.ts'
import { listenAt } from '../listen/accept.ts'

/** @returns the configuration with the ports that were chosen; @throws IdentityError CONFIG_INVALID when an address is taken */
export async function reserveAddresses(config: ProxyConfig): Promise<ProxyConfig> {
  // All at once, and each alone: what is let go too early could be taken by the next of our own.
  await using taken = new AsyncDisposableStack()
  const take = async (name: string, key: string, address: Address): Promise<Address> => {
    const listener = await listenAt({
      ...{ name, key, address, maxConnections: 1 },
      onConnection: (socket) => socket.destroy(),
    })
    return taken.use(listener).address
  }
  const { capture, hbone } = config
  if (capture !== undefined) {
    const { inboundPort, outboundPort } = capture
    await take('captured-inbound', 'proxy.capture.inbound_port', wildcard(inboundPort))
    await take('captured-outbound', 'proxy.capture.outbound_port', wildcard(outboundPort))
  }
  const inbound = []
  for (const one of config.inbound) {
    const key = `proxy.inbound.${one.name}.listen`
    inbound.push({ ...one, listen: await take(one.name, key, one.listen) })
  }
  const outbound = []
  for (const one of config.outbound) {
    const key = `proxy.outbound.${one.name}.listen`
    outbound.push({ ...one, listen: await take(one.name, key, one.listen) })
  }
  if (hbone === undefined) return { ...config, inbound, outbound }
  const listen = await take(hbone.name, 'proxy.hbone.listen', hbone.listen)
  return { ...config, inbound, outbound, hbone: { ...hbone, listen } }
}
