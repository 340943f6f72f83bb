"""How is Azure Resource Manager itself spoken to? The one folder, besides one probe, that knows the Azure SDK."""
