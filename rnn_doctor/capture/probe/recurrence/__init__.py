"""What happens inside a recurrence: gates, states and gradients by layer and time step."""
