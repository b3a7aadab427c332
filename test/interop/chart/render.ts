/** What helm makes of the chart's values, as text and as objects, and the configurations in it. */
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { recordAt, textAt, textsAt } from '../../../kubernetes/object.ts'
import { run } from '../../processes/process.ts'
import { peer } from '../interop.ts'

export const deploy = join(import.meta.dirname, '..', '..', '..', 'deploy')
export const chart = join(deploy, 'chart', 'steeple')
/** The plain manifests are for this version and later. */
export const KUBE_VERSION = '1.36'

export const helm = (args: readonly string[], values: object = {}) =>
  run(peer('helm'), args, { input: JSON.stringify(values), timeoutMs: 60_000 })

export const template = (values: object, more: readonly string[] = []) =>
  helm(
    [
      ...['template', 'steeple', chart, '-n', 'steeple', '--kube-version', KUBE_VERSION],
      ...['-f', '-', ...more],
    ],
    values,
  )

export const objectsOf = (rendered: string): readonly unknown[] =>
  parseAllDocuments(rendered).map((document) => document.toJS())

export const noFile = (path: string): never => {
  throw new Error(`nothing is to be read, but ${path} was`)
}

export const find = (objects: readonly unknown[], kind: string, name: string) =>
  objects.find(
    (one) => textAt(one, 'kind') === kind && textAt(recordAt(one, 'metadata'), 'name') === name,
  )

const configText = (objects: readonly unknown[], name: string, file: string) =>
  textsAt(find(objects, 'ConfigMap', name), 'data')[file] ?? ''
export const serverText = (objects: readonly unknown[]) =>
  configText(objects, 'steeple-server', 'server.json')
export const agentText = (objects: readonly unknown[]) =>
  configText(objects, 'steeple-agent', 'agent.json')
