/** kubectl as the administrator of a real cluster. */
import { type Result, run } from '../processes/process.ts'
import type { RealCluster } from './story.ts'

const KUBECTL_MS = 180_000

export type Kubectl = (args: readonly string[], input?: string) => Promise<Result>

export const kubectlFor =
  ({ kubeconfig }: RealCluster): Kubectl =>
  (args, input) =>
    run('kubectl', ['--kubeconfig', kubeconfig, ...args], {
      timeoutMs: KUBECTL_MS,
      ...(input === undefined ? {} : { input }),
    })

/** Rejects with what kubectl printed when it fails. @returns standard output */
export async function mustKubectl(
  kubectl: Kubectl,
  args: readonly string[],
  input?: string,
): Promise<string> {
  const { code, stdout, stderr } = await kubectl(args, input)
  if (code === 0) return stdout
  throw new Error(`kubectl ${args.join(' ')} ended with ${code}:\n${stdout}${stderr}`)
}

/** For `apply -f -`. */
export function listOf(objects: readonly object[]): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects })
}
