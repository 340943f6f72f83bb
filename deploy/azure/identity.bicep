@description('The name of the identity.')
param name string

@description('Where it is kept.')
param location string = resourceGroup().location

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: name
  location: location
}

output clientId string = identity.properties.clientId
output principalId string = identity.properties.principalId
