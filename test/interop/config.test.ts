/** Our reading of HCL against the real SPIRE server's, value by value and file by file. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect } from 'vitest'
import { run } from '../processes/process.ts'
import { HCL_BODIES, HCL_VALUES } from '../vectors/hcl-values.ts'
import { interop, peer } from './interop.ts'

const dir = mkdtempSync(join(tmpdir(), 'steeple-hcl-'))
afterAll(() => rmSync(dir, { recursive: true }))

async function validate(body: string): Promise<{ valid: boolean; output: string }> {
  const path = join(dir, 'server.conf')
  const store = `database_type = "sqlite3" connection_string = "${join(dir, 'x.db')}"`
  const plugins = `plugins {\nDataStore "sql" { plugin_data { ${store} } }\nKeyManager "memory" { }\n}`
  writeFileSync(
    path,
    `server {\n${body}\ntrust_domain = "example.org"\ndata_dir = "${dir}"\n}\n${plugins}\n`,
  )
  const { stdout, stderr } = await run(peer('spire-server'), ['validate', '-config', path])
  return { valid: stdout.includes('is valid'), output: stdout + stderr }
}

interop('SPIRE reads every value of HCL as we do', ['spire-server'], async () => {
  for (const { title, written, read } of HCL_VALUES) {
    // A key type that nobody has is told in Go's quotes, which shows what was read.
    const { output } = await validate(`ca_key_type = ${written}`)
    const shown = /key type ("(?:[^"\\]|\\.)*") is unknown/.exec(output)?.[1]
    expect(shown === undefined ? undefined : JSON.parse(shown), title).toBe(read)
  }
})

interop('SPIRE accepts the files that we accept', ['spire-server'], async () => {
  for (const [title, body, verdict] of HCL_BODIES) {
    expect((await validate(body)).valid, title).toBe(verdict === 'read')
  }
})
