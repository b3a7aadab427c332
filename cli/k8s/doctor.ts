/** `steeple k8s doctor`: whether Steeple is healthy in a cluster, and what is wrong if it is not. */
import { join } from 'node:path'
import { openCluster } from '../../kubernetes/open-cluster.ts'
import { openRunInPod } from '../../kubernetes/run-in-pod.ts'
import { defineCommand } from '../command.ts'
import { outputFormat, path, text } from '../flag/kinds.ts'
import { printJson } from '../output/print.ts'
import { exitCodeOf } from './check.ts'
import { examineCluster } from './examine-cluster.ts'
import { toJson, toText } from './report.ts'

export const doctor = defineCommand({
  summary: 'Say whether Steeple is healthy in a cluster, and what to do if it is not',
  details:
    'Exit code 0: nothing is wrong; 2: something is; 1: the cluster cannot be asked, or not for everything.\nIt changes nothing. The rights that it needs are those of an administrator to read, exec in the server’s pod, and create access reviews.',
  examples: [
    'k8s doctor -kubeconfig ~/.kube/config',
    'k8s doctor -kubeconfig ~/.kube/config -namespace steeple -output json',
  ],
  flags: {
    kubeconfig: {
      ...path('Kubeconfig of the cluster; in a pod, the pod’s service account when left out'),
      defaultText: '~/.kube/config',
      variable: { name: 'KUBECONFIG', summary: 'instead of the default of' },
    },
    context: text('Context of the kubeconfig; its current one when left out'),
    namespace: text('Namespace of the chart; found by its labels when left out'),
    output: outputFormat('Desired output format'),
  },
  async run({ kubeconfig, context, namespace, output }, { terminal, clock }) {
    const file = kubeconfig === '' ? defaultKubeconfig(terminal.env) : kubeconfig
    const options = { kubeconfig: file, ...(context === '' ? {} : { context }) }
    using cluster = await openCluster(options)
    const checks = await examineCluster({
      ...{ cluster, clock, namespace: namespace === '' ? undefined : namespace },
      run: await openRunInPod(options, clock),
    })
    if (output === 'json') printJson(terminal, toJson(checks))
    else terminal.print(toText(checks))
    return exitCodeOf(checks)
  },
})

/** @returns undefined in a pod: its service account */
function defaultKubeconfig(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const { KUBECONFIG: named, KUBERNETES_SERVICE_HOST: pod, HOME: home } = env
  if (named !== undefined && named !== '') return named
  return pod !== undefined || home === undefined ? undefined : join(home, '.kube', 'config')
}
