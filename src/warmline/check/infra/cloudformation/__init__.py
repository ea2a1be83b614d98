"""
CloudFormation's templates, read into facts; what the Serverless Framework and CDK have of it too.
"""
