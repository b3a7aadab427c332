/** `steeple authz test`: runs decision vectors and shows those that come out otherwise than expected. */
import { parseYamlDocuments } from '../../config/yaml-documents.ts'
import { runVectors } from '../../policy/vectors/run-vectors.ts'
import type { VectorResult } from '../../policy/vectors/vector-result.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { defineCommand } from '../command.ts'
import { outputFormat } from '../flag/kinds.ts'
import type { Json } from '../output/go-json.ts'
import { printJson } from '../output/print.ts'
import { readInputFile } from '../server/input-file.ts'

const PASSED = 0
const NOT_PASSED = 2

export const test = defineCommand({
  summary: 'Run a file of decision vectors: policies, requests, and what must come of them',
  details: `The sections are policies, cases, peerAuthenticationCases, requestAuthenticationCases, validationCases and pathNormalizationCases; missing ones are empty.

The exit code is 0 when every vector passes, 2 when one does not or cannot be run, and 1 when the file cannot be read.`,
  examples: ['authz test policies/vectors.yaml', 'authz test vectors.yaml -output json'],
  flags: { output: outputFormat('form of the output') },
  words: { usage: '<file>', count: 1, choices: 'files' },
  async run({ output }, { terminal }, [path = '']) {
    const results = await runVectors(onlyDocument(path, await readInputFile(path, terminal)))
    if (results.length === 0) {
      throw new IdentityError(
        'CONFIG_INVALID',
        `${path} holds no vectors, expected sections of cases`,
      )
    }
    if (output === 'json') printJson(terminal, resultsJson(results))
    else terminal.print(resultsText(results))
    return results.every(({ kind }) => kind === 'passed') ? PASSED : NOT_PASSED
  },
})

function onlyDocument(path: string, text: string): unknown {
  const [document, ...more] = parseYamlDocuments(path, text)
  if (more.length > 0) {
    const seen = `${path} holds ${more.length + 1} documents`
    throw new IdentityError('CONFIG_INVALID', `${seen}, expected one with all sections`)
  }
  return document?.value ?? {}
}

const counts = (results: readonly VectorResult[]) => {
  const of = (kind: VectorResult['kind']) => results.filter((one) => one.kind === kind).length
  return { passed: of('passed'), failed: of('failed'), skipped: of('skipped') }
}

function resultsText(results: readonly VectorResult[]): string {
  const blocks = results.flatMap((result) => {
    if (result.kind === 'passed') return []
    const lines = result.kind === 'failed' ? result.differences : [`not run: ${result.why}`]
    const name = [result.section, result.id, result.title].filter((part) => part !== '').join(' ')
    return [[name, ...lines.map((line) => `  ${line}`), ''].join('\n')]
  })
  const sections = [...Map.groupBy(results, ({ section }) => section)].map(([section, those]) => {
    const { passed, failed, skipped } = counts(those)
    const rest = [failed > 0 ? `, ${failed} failed` : '', skipped > 0 ? `, ${skipped} not run` : '']
    return `${section}: ${passed} of ${those.length} passed${rest.join('')}`
  })
  return `${[...blocks, ...sections].join('\n')}\n`
}

function resultsJson(results: readonly VectorResult[]): Json {
  const named = ({ section, id, title }: VectorResult) => ({ section, id, title })
  return {
    ...counts(results),
    sections: Object.fromEntries(
      [...Map.groupBy(results, ({ section }) => section)].map(([section, those]) => [
        section,
        counts(those),
      ]),
    ),
    failures: results.flatMap((one) =>
      one.kind === 'failed' ? [{ ...named(one), differences: one.differences }] : [],
    ),
    not_run: results.flatMap((one) =>
      one.kind === 'skipped' ? [{ ...named(one), why: one.why }] : [],
    ),
  }
}
