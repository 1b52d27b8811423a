"""The pure core: from an observation and a time to a plan. Nothing here touches the world."""
