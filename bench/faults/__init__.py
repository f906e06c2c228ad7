"""What a fault of the machine takes away: processes that are killed, disks that are full, registries that die."""
