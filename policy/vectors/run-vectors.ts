/**
 * Runs a whole file of vectors. Nothing is read or written: the caller has parsed the file and prints the results.
 */
import { runDecision } from './run-decision.ts'
import { runPathNormalization } from './run-path-normalization.ts'
import { runPeerAuthentication } from './run-peer-authentication.ts'
import { runRequestAuthentication } from './run-request-authentication.ts'
import { runValidation } from './run-validation.ts'
import { READ_CASE, type ReadCase, readVectorFile } from './vector-file.ts'
import type { Section, VectorResult } from './vector-result.ts'

/**
 * One result for each vector, in the order of the file.
 * @throws IdentityError CONFIG_INVALID when the document is not a file of vectors
 */
export async function runVectors(document: unknown): Promise<readonly VectorResult[]> {
  const file = readVectorFile(document)
  const results = [
    runSection('cases', file.cases.map(READ_CASE.cases), (vector) => runDecision(file, vector)),
    runSection(
      'peerAuthenticationCases',
      file.peerAuthenticationCases.map(READ_CASE.peerAuthenticationCases),
      runPeerAuthentication,
    ),
    runSection(
      'requestAuthenticationCases',
      file.requestAuthenticationCases.map(READ_CASE.requestAuthenticationCases),
      runRequestAuthentication,
    ),
    runSection(
      'validationCases',
      file.validationCases.map(READ_CASE.validationCases),
      runValidation,
    ),
    runSection(
      'pathNormalizationCases',
      file.pathNormalizationCases.map(READ_CASE.pathNormalizationCases),
      runPathNormalization,
    ),
  ]
  return Promise.all(results.flat())
}

function runSection<T>(
  section: Section,
  cases: readonly ReadCase<T>[],
  run: (vector: T) => VectorResult | Promise<VectorResult>,
): readonly (VectorResult | Promise<VectorResult>)[] {
  return cases.map((read) =>
    read.kind === 'case'
      ? run(read.vector)
      : { section, id: read.id, title: '', kind: 'skipped', why: read.why },
  )
}
