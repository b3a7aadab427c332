/** A directory of files for commands that read policies; it is gone after the test. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface PolicyDir extends Disposable {
  readonly path: string
  /** The path of a file with this text. */
  write(name: string, text: string): string
}

export function policyDir(files: Readonly<Record<string, string>> = {}): PolicyDir {
  const path = mkdtempSync(join(tmpdir(), 'cli-policies-'))
  const write = (name: string, text: string) => {
    const file = join(path, name)
    writeFileSync(file, text)
    return file
  }
  for (const [name, text] of Object.entries(files)) write(name, text)
  return { path, write, [Symbol.dispose]: () => rmSync(path, { recursive: true }) }
}

/** An object of security.istio.io in the namespace `shop`, as YAML that is JSON. */
export const object = (kind: string, name: string, spec: object, namespace = 'shop'): string =>
  JSON.stringify({ apiVersion: 'security.istio.io/v1', kind, metadata: { name, namespace }, spec })

export const policyText = (name: string, spec: object): string =>
  object('AuthorizationPolicy', name, spec)

export const documents = (...texts: readonly string[]): string => texts.join('\n---\n')
