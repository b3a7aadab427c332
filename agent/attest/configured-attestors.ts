/** The workload attestors that a configuration asks for. */
import type { UnixAttestorConfig } from '../config.ts'
import { unixAttestor } from './unix/unix-attestor.ts'
import type { WorkloadAttestor } from './workload-attestor.ts'

export function configuredAttestors(
  configs: readonly UnixAttestorConfig[],
): readonly WorkloadAttestor[] {
  return configs.map((config) => unixAttestor(config))
}
