/** The health_checks block, which the server and the agent share. Nothing listens unless it says so. */
import { placeOf, refine, section, withDefault } from './check.ts'
import { addMistake } from './mistake.ts'
import { host, port, textLike, truth } from './value.ts'

export interface HealthSettings {
  readonly host: string
  readonly port: number
  readonly livePath: string
  readonly readyPath: string
}

const PATH = /^\/[A-Za-z0-9._~/-]*$/

const path = () => textLike(PATH, 'a path such as /live')

const keys = section({
  bind_address: withDefault(host(), 'localhost', 'address of the health endpoint'),
  bind_port: withDefault(port(), '80', 'port of the health endpoint'),
  listener_enabled: withDefault(truth(), 'false', 'serve the health endpoint'),
  live_path: withDefault(path(), '/live', 'path that answers whether it lives'),
  ready_path: withDefault(path(), '/ready', 'path that answers whether it is ready'),
})

export const healthChecks = refine(keys, (read, { report }) => {
  const { bind_address: host, bind_port: port, live_path: livePath, ready_path: readyPath } = read
  if (host === undefined || port === undefined) return undefined
  if (livePath === undefined || readyPath === undefined) return undefined
  if (livePath === readyPath) {
    const message = `live_path and ready_path are both ${livePath}`
    addMistake(report, placeOf(read, 'ready_path'), message, 'two paths')
  }
  const settings: HealthSettings = { host, port, livePath, readyPath }
  return { settings: read.listener_enabled === true ? settings : undefined }
})
