// The identity that Wavekeeper acts as, and the least role that lets it: what `wavekeeper doctor --role` writes, for the uses below.
//   az deployment sub create --location westeurope --template-file deploy/azure/main.bicep --parameters resourceGroupName=rg-wavekeeper
// For each further subscription of the fleet: the same with principalId, and no second identity is made.
targetScope = 'subscription'

@description('The resource group of the identity. It must exist.')
param resourceGroupName string = 'rg-wavekeeper'

@description('The name of the identity.')
param identityName string = 'id-wavekeeper'

@description('The principal of an identity that exists, for further subscriptions; empty: one is made here.')
param principalId string = ''

@description('Whether machines of Azure Arc are patched, too.')
param withArc bool = false

@description('Whether campaigns run commands.')
param withCommands bool = false

@description('Whether the patch settings of machines are changed (wavekeeper enrol).')
param withEnrol bool = false

@description('Whether the history of patch runs is read (wavekeeper audit).')
param withAudit bool = false

// plan, patch, restart
var baseActions = [
  'Microsoft.Authorization/permissions/read'
  'Microsoft.Compute/availabilitySets/read'
  'Microsoft.Compute/locations/operations/read'
  'Microsoft.Compute/virtualMachineScaleSets/read'
  'Microsoft.Compute/virtualMachines/assessPatches/action'
  'Microsoft.Compute/virtualMachines/installPatches/action'
  'Microsoft.Compute/virtualMachines/instanceView/read'
  'Microsoft.Compute/virtualMachines/read'
  'Microsoft.Compute/virtualMachines/restart/action'
  'Microsoft.Maintenance/configurationAssignments/read'
  'Microsoft.Maintenance/maintenanceConfigurations/read'
  'Microsoft.Network/networkInterfaces/read'
  'Microsoft.Resources/subscriptions/locations/read'
]

// patch Arc machines
var arcActions = [
  'Microsoft.Authorization/permissions/read'
  'Microsoft.HybridCompute/locations/updateCenterOperationResults/read'
  'Microsoft.HybridCompute/machines/assessPatches/action'
  'Microsoft.HybridCompute/machines/installPatches/action'
  'Microsoft.HybridCompute/machines/patchAssessmentResults/softwarePatches/read'
  'Microsoft.HybridCompute/machines/patchInstallationResults/read'
  'Microsoft.HybridCompute/machines/patchInstallationResults/softwarePatches/read'
  'Microsoft.HybridCompute/machines/read'
]

// run commands
var commandActions = [
  'Microsoft.Authorization/permissions/read'
  'Microsoft.Compute/virtualMachines/instanceView/read'
  'Microsoft.Compute/virtualMachines/runCommands/delete'
  'Microsoft.Compute/virtualMachines/runCommands/read'
  'Microsoft.Compute/virtualMachines/runCommands/write'
]

// run commands on Arc
var arcCommandActions = [
  'Microsoft.Authorization/permissions/read'
  'Microsoft.HybridCompute/machines/runCommands/delete'
  'Microsoft.HybridCompute/machines/runCommands/read'
  'Microsoft.HybridCompute/machines/runCommands/write'
]

// enrol
var enrolActions = [
  'Microsoft.Authorization/permissions/read'
  'Microsoft.Compute/virtualMachines/read'
  'Microsoft.Compute/virtualMachines/write'
]

// audit
var auditActions = [
  'Microsoft.Authorization/permissions/read'
  'Microsoft.Compute/virtualMachines/patchInstallationResults/read'
  'Microsoft.Compute/virtualMachines/read'
]

var actions = union(
  baseActions,
  withArc ? arcActions : [],
  withCommands ? commandActions : [],
  withArc && withCommands ? arcCommandActions : [],
  withEnrol ? enrolActions : [],
  withAudit ? auditActions : []
)

var makesIdentity = empty(principalId)

module identity 'identity.bicep' = if (makesIdentity) {
  name: 'wavekeeper-identity'
  scope: resourceGroup(resourceGroupName)
  params: {
    name: identityName
  }
}

resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, 'wavekeeper')
  properties: {
    roleName: 'Wavekeeper (${subscription().subscriptionId})'
    description: 'What Wavekeeper needs, and nothing else.'
    type: 'customRole'
    permissions: [
      {
        actions: actions
        notActions: []
        dataActions: []
        notDataActions: []
      }
    ]
    assignableScopes: [
      subscription().id
    ]
  }
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription().id, resourceGroupName, identityName, principalId, 'wavekeeper')
  properties: {
    roleDefinitionId: role.id
    principalId: makesIdentity ? identity.outputs.principalId : principalId
    principalType: 'ServicePrincipal'
  }
}

@description('For AZURE_CLIENT_ID, or for the service account of a cluster.')
output clientId string = makesIdentity ? identity.outputs.clientId : ''

@description('For further subscriptions.')
output principalId string = makesIdentity ? identity.outputs.principalId : principalId
