/** A kubeconfig of a service account that may do what a test lists, and nothing else: it shows which rights are needed. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Kubernetes } from '../../processes/kubernetes.ts'

export interface Rule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
  readonly resourceNames?: readonly string[]
}

/** @returns the path of the kubeconfig */
export async function restrictedKubeconfig(
  kubernetes: Kubernetes,
  name: string,
  rules: readonly Rule[],
): Promise<string> {
  const api = 'rbac.authorization.k8s.io'
  const items = [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: 'default' } },
    { apiVersion: `${api}/v1`, kind: 'ClusterRole', metadata: { name }, rules },
    {
      ...{ apiVersion: `${api}/v1`, kind: 'ClusterRoleBinding', metadata: { name } },
      roleRef: { apiGroup: api, kind: 'ClusterRole', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace: 'default' }],
    },
  ]
  await kubernetes.mustKubectl(
    ['create', '-f', '-'],
    JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
  )
  const token = await kubernetes.token('default', name)
  const path = join(kubernetes.dir, `${name}.kubeconfig`)
  const flags = ['config', 'view', '--raw', '-o', 'json']
  const config = JSON.parse(await kubernetes.mustKubectl(flags))
  const users = config.users.map((user: { readonly name: string }) => ({
    name: user.name,
    user: { token },
  }))
  writeFileSync(path, JSON.stringify({ ...config, users }), { mode: 0o600 })
  return path
}
