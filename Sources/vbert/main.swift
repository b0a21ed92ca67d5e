print("vbert")
