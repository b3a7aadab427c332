/** Where the system's message bus listens: the address of the environment, or the usual place. Pure. */
import { IdentityError } from '../../spiffe/error.ts'

const DEFAULT_PATH = '/var/run/dbus/system_bus_socket'

/**
 * @param address that of DBUS_SYSTEM_BUS_ADDRESS: `unix:path=/run/dbus/system_bus_socket`, several parted by semicolons
 * @returns path of a Unix socket
 * @throws IdentityError CONFIG_INVALID when there is none among them
 */
export function systemBusPath(address: string | undefined): string {
  if (address === undefined || address === '') return DEFAULT_PATH
  for (const one of address.split(';')) {
    const path = /^unix:(?:[^,]*,)*path=([^,]+)/.exec(one)?.[1]
    if (path !== undefined) return unescaped(path)
  }
  throw new IdentityError(
    'CONFIG_INVALID',
    `DBUS_SYSTEM_BUS_ADDRESS is ${JSON.stringify(address)}, expected unix:path= with a path`,
  )
}

/** `%20` stands for a space. */
function unescaped(text: string): string {
  return text.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
}
