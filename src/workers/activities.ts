import { withFailures } from '#activities/failures'
import { withHeartbeats } from '#activities/long'
import { createClarificationActivities } from '#activities/clarification/activities'
import { createForgeActivities } from '#activities/forge/activities'
import { createMergeActivities } from '#activities/merge/activities'
import { createNotifier } from '#activities/notify/notifier'
import type { Notifier } from '#activities/notify/port'
import { createPipelineActivities } from '#activities/pipelines/activities'
import { createReviewActivities } from '#activities/review/activities'
import { createReviewer } from '#activities/review/reviewer'
import { createSecretActivities } from '#activities/secrets/activities'
import { createSecretScanner } from '#activities/secrets/secretlint'
import { createTestActivities } from '#activities/tests/activities'
import { createCommandRunner } from '#activities/tests/runner'
import type { CommandRunner } from '#activities/tests/port'
import type { Pipelines } from '#activities/pipelines/port'
import type { Installation } from '#installation/installation'
import { createPolicyReader } from '#installation/policies'
import { protectByPolicy } from '#installation/protected-branches'
import type { RoleDefinition } from './roles.ts'

/** The tools that activities act through; tests wrap them to kill the process before and after an effect. */
export type Tools = Pick<Installation, 'forge' | 'ledger' | 'repository' | 'logs'> & {
  pipelines: Pipelines
  runner: CommandRunner
  notifier: Notifier
}

export function openTools(installation: Installation, pipelines: Pipelines, env: NodeJS.ProcessEnv): Tools {
  const { forge, ledger, logs, config, paths } = installation
  const runner = createCommandRunner({ home: paths.home, isolation: config.isolation, logs, env })
  const repository: Tools['repository'] = (repo) => installation.repository(repo)
  return { forge, ledger, logs, repository, pipelines, runner, notifier: createNotifier({ env }) }
}

export type Activities = Record<string, (...args: never[]) => Promise<unknown>>

/** Joins a role's activities to the installation's vendors. */
export function activitiesOf(
  definition: RoleDefinition,
  tools: Tools,
  installation: Installation,
  webUrl: (workflowId: string) => string | null = () => null,
): Activities {
  const { runner, ledger, forge, pipelines, repository, notifier } = tools
  const { people } = installation.config
  const policies = createPolicyReader(installation, protectByPolicy(repository))
  const create: Record<RoleDefinition['tools'][number], () => Activities> = {
    forge: () =>
      withHeartbeats(
        createForgeActivities({
          ...{ forge, ledger, repository, policies },
          isolation: runner.isolation(),
          people,
        }),
      ),
    merge: () => withHeartbeats(createMergeActivities({ forge, ledger, repository, runner })),
    pipelines: () => withHeartbeats(createPipelineActivities({ forge, pipelines, ledger, policies, people })),
    clarification: () => createClarificationActivities({ pipelines, ledger, notifier, people, webUrl }),
    tests: () => createTestActivities({ runner, ledger, repository }),
    secrets: () => createSecretActivities({ scanner: createSecretScanner(), ledger, repository }),
    review: () => createReviewActivities({ reviewer: createReviewer({ runner }), runner, ledger, repository }),
  }
  return withFailures(Object.assign({}, ...definition.tools.map((tool) => create[tool]())) as Activities)
}
