/** Whether server and agents may do in the cluster what their configuration makes them do, by the API server's own word. */
import type { Cluster } from '../../kubernetes/cluster.ts'
import { isRecord, recordAt, textAt } from '../../kubernetes/object.ts'
import type { Examined, Finding } from './check.ts'
import { CONFIGURED_PERMISSIONS, type ConfiguredPermission } from './configured-permissions.ts'
import type { Installation } from './installation.ts'
import { type ObjectName, PERMISSIONS, type Permission } from './permissions.ts'
import type { Configuration } from './read-configuration.ts'

/** Undefined setting: the roles of the chart have it. */
type Examinable = Permission & Partial<Pick<ConfiguredPermission, 'setting'>>

/** With a namespace. */
type Place = ObjectName & { readonly namespace: string }

const ANY: readonly Place[] = [{ namespace: '', name: '' }]

export async function examinePermissions(
  cluster: Cluster,
  installation: Installation,
  configuration: Configuration,
): Promise<Examined> {
  const all: readonly Examinable[] = [...PERMISSIONS, ...CONFIGURED_PERMISSIONS]
  const needed = all.filter((one) => one.isNeeded(configuration))
  const self = await ownName(cluster)
  const findings: Finding[] = []
  let asked = 0
  for (const permission of needed) {
    const { namespace, serviceAccount } =
      permission.who === 'server' ? installation.server : installation.agents
    const user = `system:serviceaccount:${namespace}:${serviceAccount}`
    const may = (question: Question) => mayDo(cluster, user, self, question)
    for (const object of objectsOf(permission, configuration, namespace)) {
      const denied: string[] = []
      for (const verb of permission.verbs) {
        asked += 1
        if (await may({ ...permission, ...object, verb })) continue
        const { coarser } = permission
        if (
          coarser !== undefined &&
          (await may({ ...permission, resource: coarser, ...object, verb }))
        )
          continue
        denied.push(verb)
      }
      if (denied.length > 0) findings.push(finding(permission, object, denied, user))
    }
  }
  return { seen: `${asked} permissions are there`, findings }
}

function objectsOf(
  { scope, names }: Permission,
  configuration: Configuration,
  namespace: string,
): readonly Place[] {
  const named = names?.(configuration).map((one) => ({
    ...one,
    namespace: one.namespace ?? namespace,
  }))
  if (scope === 'cluster') return ANY
  return named ?? (scope === 'own' ? [{ namespace, name: '' }] : [])
}

function finding(
  { who, group, resource, why, setting }: Examinable,
  { namespace, name }: Place,
  verbs: readonly string[],
  user: string,
): Finding {
  const what = `${resource}${group === '' ? '' : `.${group}`}`
  const where = namespace === '' ? '' : ` in namespace ${namespace}`
  const give =
    setting === undefined
      ? 'put back the roles of the chart'
      : `allow it by a role of your own, for the chart has none for ${setting}`
  return {
    severity: 'problem',
    subject: user.replace('system:serviceaccount:', 'service account '),
    problem: `the ${who} may not ${verbs.join(', ')} ${what}${name === '' ? '' : ` ${name}`}${where}, which it needs to ${why}`,
    remedy: `${give}; then: kubectl auth can-i ${verbs[0]} ${what}${name === '' ? '' : `/${name}`} --as=${user}${namespace === '' ? ' -A' : ` -n ${namespace}`}`,
  }
}

interface Question extends Place {
  readonly group: string
  readonly resource: string
  readonly verb: string
}

/** Who we are to the API server; undefined when it does not say. */
async function ownName(cluster: Cluster): Promise<string | undefined> {
  const kind = 'SelfSubjectReview'
  const answer = await cluster
    .request({
      ...{ method: 'POST', path: '/apis/authentication.k8s.io/v1/selfsubjectreviews' },
      body: { apiVersion: 'authentication.k8s.io/v1', kind },
    })
    .catch(() => undefined) // it is only asked to need fewer rights
  return textAt(recordAt(recordAt(answer, 'status'), 'userInfo'), 'username')
}

async function mayDo(
  cluster: Cluster,
  user: string,
  self: string | undefined,
  { verb, group, resource: full, namespace, name }: Question,
): Promise<boolean> {
  const [resource, subresource = ''] = full.split('/')
  const resourceAttributes = { verb, group, resource, subresource, namespace, name }
  const [, , ownNamespace = ''] = user.split(':')
  const groups = [
    ...['system:serviceaccounts', `system:serviceaccounts:${ownNamespace}`],
    'system:authenticated',
  ]
  const isSelf = user === self
  const kind = isSelf ? 'SelfSubjectAccessReview' : 'SubjectAccessReview'
  const answer = await cluster.request({
    ...{ method: 'POST', path: `/apis/authorization.k8s.io/v1/${kind.toLowerCase()}s` },
    body: {
      ...{ apiVersion: 'authorization.k8s.io/v1', kind },
      spec: { resourceAttributes, ...(isSelf ? {} : { user, groups }) },
    },
  })
  const status = recordAt(answer, 'status')
  // Whatever is no clear yes is a no, as it is for who asks in earnest.
  return isRecord(status) && status.allowed === true
}
