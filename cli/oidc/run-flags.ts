/** The flags of `run` and `validate` of the OIDC discovery provider. */
import { boolean, path } from '../flag/kinds.ts'

export const oidcRunFlags = {
  config: { ...path('configuration file'), defaultText: 'oidc-discovery-provider.conf' },
  expandEnv: boolean('replace $VARIABLES in the configuration file'),
}
