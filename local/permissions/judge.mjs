// Judges questions about policies the way IAM does.
//
// stdin:  {"account": "…", "principal": "…", "policies": [document, …],
//          "questions": [{"policy": index, "action": "…", "resource": "…", "context": {…}}, …]}
// stdout: [{"allowed": true, "unknown": [context keys the action does not have], "error": "…"}, …]
//
// Everything that needs an opinion is on the Python side; here is only what has no Python library.
import { readFileSync } from 'node:fs'
import { runSimulation } from '@cloud-copilot/iam-simulate'

const { account, principal, policies, questions } = JSON.parse(readFileSync(0, 'utf8'))

// A KMS key has a policy that must allow it, too. The default one leaves the decision to IAM policies.
const KEY_POLICY = {
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${account}:root` },
      Action: 'kms:*',
      Resource: '*',
    },
  ],
}

async function answer({ policy, action, resource, context }) {
  const request = {
    principal,
    action,
    // Snapshots, images and "*" have no account in their ARNs: they count as the caller's own.
    resource: { resource, accountId: resource.split(':')[4] || account },
    contextVariables: context,
  }
  const simulation = {
    request,
    identityPolicies: [{ name: 'role', policy: policies[policy] }],
    resourcePolicy: action.startsWith('kms:') ? KEY_POLICY : undefined,
    serviceControlPolicies: [],
    resourceControlPolicies: [],
  }
  const result = await runSimulation(simulation, { simulationMode: 'Strict' })
  return verdict(result)
}

function verdict(result) {
  if (result.resultType === 'error') return { allowed: false, unknown: [], error: said(result) }
  const all = result.resultType === 'wildcard' ? result.results : [result.result]
  return {
    allowed: result.overallResult === 'Allowed',
    unknown: [...new Set(all.flatMap((it) => it.ignoredContextKeys ?? []))],
  }
}

function said(result) {
  return JSON.stringify(result.errors).slice(0, 400)
}

const verdicts = []
for (const question of questions) verdicts.push(await answer(question))
process.stdout.write(JSON.stringify(verdicts))
