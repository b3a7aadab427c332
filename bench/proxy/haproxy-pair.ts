/** HAProxy: mutual TLS by certificate alone, for it looks at no SPIFFE ID and knows no such rules. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../test/processes/free-port.ts'
import { start } from '../../test/processes/process.ts'
import type { Material, Pem } from './material.ts'
import { asPair, type Pair, type PairOptions } from './pair.ts'

let made = 0

const GLOBAL = `global
  nbthread 1
  maxconn 4000
  ssl-default-bind-options ssl-min-ver TLSv1.3 no-tls-tickets
  ssl-default-server-options ssl-min-ver TLSv1.3 no-tls-tickets
`

export async function startHaproxy(
  { dir, caller, called }: Material,
  { mode, backendPort }: PairOptions,
): Promise<Pair> {
  const id = ++made
  const [inner, outer] = [await freePort(), await freePort()]
  const tls = (pem: Pem, name: string) => {
    const both = join(dir, `haproxy-${id}-${name}.pem`)
    writeFileSync(both, `${readFileSync(pem.certificate)}\n${readFileSync(pem.key)}`)
    return `ssl crt ${both} ca-file ${pem.bundle} verify required`
  }
  const stack = new AsyncDisposableStack()
  const run = (name: string, bind: string, server: string) => {
    const path = join(dir, `haproxy-${id}-${name}.cfg`)
    writeFileSync(
      path,
      `${GLOBAL}defaults
  mode ${mode === 'http' ? 'http' : 'tcp'}
  timeout connect 10s
  timeout client 10m
  timeout server 10m
  http-reuse always
listen ${name}
  bind 127.0.0.1:${bind}
  server next 127.0.0.1:${server}
`,
    )
    return stack.use(start('haproxy', ['-db', '-f', path]))
  }
  const called_ = run('called', `${inner} ${tls(called.pem, 'called')}`, `${backendPort}`)
  const outward = `${inner} ${tls(caller.pem, 'caller')} no-ssl-reuse`
  const caller_ = run('caller', `${outer}`, outward)
  return await asPair('haproxy', [outer, inner], [caller_, called_], stack)
}
