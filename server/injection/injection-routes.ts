/** The webhook that puts proxies into pods. Which namespaces and pods it is asked about, the webhook configuration says. */
import { type AdmissionRoutes, ALLOWED } from '../admission/routes.ts'
import { inject } from './inject.ts'
import type { InjectionConfig } from './injection-config.ts'

const INJECTION_PATH = '/inject'

/** @returns no route when nothing is configured */
export function injectionRoutes(config: InjectionConfig | undefined): AdmissionRoutes {
  if (config === undefined) return new Map()
  return new Map([
    [
      INJECTION_PATH,
      async ({ kind, operation, object }) => {
        if (kind.kind !== 'Pod' || kind.group !== '' || operation !== 'CREATE') return ALLOWED
        const injection = inject(object, config)
        switch (injection.kind) {
          case 'patch':
            return { ...injection, kind: 'allow' }
          case 'unchanged':
            return ALLOWED
          case 'refused':
            return {
              kind: 'deny',
              message: `no proxy can be put into the pod: ${injection.message}`,
            }
          default:
            return injection satisfies never
        }
      },
    ],
  ])
}
